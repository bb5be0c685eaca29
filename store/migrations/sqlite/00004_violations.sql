-- +goose Up
-- What came in that does not fit the tracking plan, counted: see
-- store/violations.go. The rows are as many as the rules can cause.
create table violations (
  connection text not null,
  class      text not null,
  event      text not null,
  property   text not null,
  rule       text not null,
  action     text not null,
  count      bigint not null,
  replayed   bigint not null,
  first_seen bigint not null,
  last_seen  bigint not null,
  samples    text not null,
  primary key (connection, class, event, property, rule)
) without rowid;

-- +goose Down
drop table violations;
