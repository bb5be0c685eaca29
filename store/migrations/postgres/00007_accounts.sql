-- +goose Up
-- Accounts, who belongs to which, where they have been, and what is known of
-- them at vendors. A plan without accounts leaves all four empty.
create table accounts (
  key      text collate "C" primary key,
  stage    text not null default '',
  since    bigint not null default 0,
  people   bigint not null default 0,
  segments text not null default '',
  name     text not null default '',
  name_at  bigint not null default 0,
  moves    bigint not null default 0,
  tally    bytea
);
create index accounts_stage on accounts (stage, key);

create table account_people (
  person  bigint primary key,
  account text collate "C" not null,
  domain  text not null,
  company text not null,
  since   bigint not null,
  tally   bytea
);
create index account_people_account on account_people (account, person);
create index account_people_company on account_people (account, since, company) where company <> '';

create table account_moves (
  account    text collate "C" not null,
  seq        bigint not null,
  from_stage text not null,
  to_stage   text not null,
  at         bigint not null,
  decided    bigint not null,
  person     bigint not null,
  event      bytea,
  data       text not null,
  primary key (account, seq)
);

create table account_sync (
  connection text not null,
  account    text collate "C" not null,
  version    bigint not null,
  state      text not null,
  due_at     bigint not null,
  lease      bigint not null default 0,
  attempts   bigint not null default 0,
  reason     text not null default '',
  message    text not null default '',
  vendor_id  text not null default '',
  pushed_at  bigint not null default 0,
  known      text not null default '',
  primary key (connection, account)
);
create index account_sync_due on account_sync (connection, due_at, account) where due_at > 0;
create index account_sync_account on account_sync (account, connection);

-- +goose Down
drop table account_sync; drop table account_moves; drop table account_people; drop table accounts;
