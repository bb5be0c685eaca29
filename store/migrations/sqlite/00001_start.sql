-- +goose Up
create table state (
  name  text primary key,
  value text not null
) without rowid;

create table sequences (
  name text primary key,
  next bigint not null
) without rowid;

create table connections (
  id         text primary key,
  connector  text not null,
  settings   text not null,
  secrets    blob,
  push       text not null,
  rules      bigint not null default 0,
  paused     bigint not null default 0,
  version    bigint not null default 1,
  created_at bigint not null,
  updated_at bigint not null,
  applied    text not null default ''
) without rowid;

create table rules (
  connection text not null,
  version    bigint not null,
  source     text not null,
  author     text not null,
  note       text not null,
  created_at bigint not null,
  primary key (connection, version)
) without rowid;

create table plans (
  version    bigint primary key,
  source     text not null,
  author     text not null,
  note       text not null,
  created_at bigint not null
);

create table inbox (
  id          integer primary key,
  connection  text not null,
  dedupe      blob not null,
  type        text not null,
  flag        bigint not null,
  received_at bigint not null,
  event_at    bigint not null,
  meta        text,
  body        blob
);
-- Filled behind the inbox, many at a time: see store/dedupe.go.
create table dedupes (
  hash blob primary key,
  id   bigint not null
) without rowid;

create table pending (
  lane     text not null,
  next_try bigint not null,
  id       bigint not null,
  attempts bigint not null default 0,
  reason   text not null default '',
  primary key (lane, next_try, id)
) without rowid;

create table outcomes (
  id         integer primary key,
  connection text not null,
  status     bigint not null,
  step       text not null,
  reason     text not null,
  detail     text not null,
  rule       text not null,
  at         bigint not null
);
create index outcomes_parked on outcomes (status, connection, id) where status > 1;

create table records (
  id          integer primary key,
  record      blob,
  modified_at bigint not null,
  fetched_at  bigint not null
);

create table keys (
  key    text primary key,
  person bigint not null
) without rowid;

create table profiles (
  id         integer primary key,
  merged     bigint not null default 0,
  stage      text not null,
  since      bigint not null,
  next_check bigint not null,
  last_seen  bigint not null,
  contested  bigint not null default 0,
  keys       text not null,
  state      blob
);
create index profiles_stage on profiles (stage, id) where merged = 0;
create index profiles_due on profiles (next_check) where next_check > 0;
create index profiles_contested on profiles (contested) where contested > 0;

create table events (
  person     bigint not null,
  at         bigint not null,
  id         blob not null,
  name       text not null,
  connection text not null,
  inbox      bigint not null,
  business   blob,
  data       blob not null,
  primary key (person, at, id)
) without rowid;
create index events_inbox on events (inbox);
create index events_business on events (person, business) where business is not null;

create table transitions (
  person    bigint not null,
  seq       bigint not null,
  history   bigint not null,
  announce  bigint not null,
  from_stage text not null,
  to_stage  text not null,
  kind      text not null,
  at        bigint not null,
  decided   bigint not null,
  data      text not null,
  primary key (person, seq)
) without rowid;

create table memberships (
  segment text not null,
  person  bigint not null,
  since   bigint not null,
  primary key (segment, person)
) without rowid;

create table refusals (
  contested bigint not null,
  event     blob not null,
  key       text not null,
  with_key  text not null,
  reason    text not null,
  at        bigint not null,
  decided   text not null default '',
  primary key (event, key)
) without rowid;
create index refusals_contested on refusals (contested);

create table merges (
  loser    bigint primary key,
  survivor bigint not null,
  at       bigint not null,
  event    blob not null,
  inbox    bigint not null
);

create table sync (
  connection text not null,
  person     bigint not null,
  version    bigint not null,
  state      text not null,
  due_at     bigint not null,
  lease      bigint not null default 0,
  attempts   bigint not null default 0,
  sent       bigint not null default 0,
  reason     text not null default '',
  message    text not null default '',
  vendor_id  text not null default '',
  job        text not null default '',
  pushed_at  bigint not null default 0,
  known      text not null default '',
  primary key (connection, person)
) without rowid;
create index sync_due on sync (connection, due_at, person) where due_at > 0;
create index sync_parked on sync (connection, state, person) where state not in ('synced', 'pending');

create table managed_segments (
  connection text not null,
  segment    text not null,
  primary key (connection, segment)
) without rowid;

create table ledger (
  connection text not null,
  hash       blob not null,
  at         bigint not null,
  count      bigint not null,
  primary key (connection, hash)
) without rowid;

create table counters (
  connection text not null,
  name       text not null,
  value      bigint not null,
  primary key (connection, name)
) without rowid;

create table rejections (
  connection text not null,
  at         bigint not null,
  id         bigint not null,
  reason     text not null,
  detail     text not null,
  method     text not null,
  address    text not null,
  agent      text not null,
  primary key (connection, at, id)
) without rowid;

create table users (
  name     text primary key,
  password text not null,
  role     text not null,
  at       bigint not null
) without rowid;

create table sessions (
  hash       blob primary key,
  name       text not null,
  created_at bigint not null,
  seen_at    bigint not null
) without rowid;

-- +goose Down
drop table sessions; drop table users; drop table rejections; drop table counters; drop table ledger;
drop table managed_segments; drop table sync; drop table merges; drop table refusals; drop table memberships;
drop table transitions; drop table events; drop table profiles; drop table keys; drop table records;
drop table outcomes; drop table pending; drop table dedupes; drop table inbox; drop table plans; drop table rules;
drop table connections; drop table sequences; drop table state;
