-- +goose Up
-- What notifications are judged by, and which are under way. See store/notices.go.
create table arrivals (
  connection text not null,
  hour       bigint not null,
  events     bigint not null,
  primary key (connection, hour)
);

create table deliveries (
  connection    text primary key,
  ok_at         bigint not null,
  failed_at     bigint not null,
  failing_since bigint not null,
  reason        text not null
);

create table reads (
  connection text not null,
  rule       text not null,
  path       text not null,
  version    bigint not null,
  seen       bigint not null,
  missed     bigint not null,
  run        bigint not null,
  at         bigint not null,
  primary key (connection, rule, path, version)
);

create table notices (
  connection text not null,
  kind       text not null,
  subject    text not null,
  since      bigint not null,
  gone_at    bigint not null,
  detail     text not null,
  told       text not null,
  tries      bigint not null,
  next_try   bigint not null,
  primary key (connection, kind, subject)
);

-- +goose Down
drop table notices; drop table reads; drop table deliveries; drop table arrivals;
