-- +goose Up
-- Requests for erasure and what became of them; none of the three tables names
-- anybody once a request was carried out. See jobs/erase.go.
create table erasures (
  id         integer primary key,
  person     bigint not null,
  state      text not null,
  connection text not null default '',
  event      blob,
  inbox      bigint not null default 0,
  author     text not null,
  reason     text not null,
  opened_at  bigint not null,
  decided_by text not null default '',
  decided_at bigint not null default 0,
  done_at    bigint not null default 0,
  result     text not null default ''
);
create unique index erasures_event on erasures (event) where event is not null;
create unique index erasures_live on erasures (person) where state in ('open', 'confirmed');
create index erasures_confirmed on erasures (id) where state = 'confirmed';

-- Keyed hashes of what was erased, up to when.
create table erased (
  hash    blob primary key,
  until   bigint not null,
  seq     bigint not null,
  applied bigint not null
) without rowid;
create index erased_seq on erased (seq);
create index erased_fresh on erased (seq) where applied = 0;

-- What each connection's vendor said; who is sealed, and empty once it is over.
create table certificates (
  erasure    bigint not null,
  connection text not null,
  connector  text not null,
  state      text not null,
  attempts   bigint not null default 0,
  due_at     bigint not null default 0,
  who        blob,
  reason     text not null default '',
  message    text not null default '',
  proof      text not null default '',
  at         bigint not null,
  primary key (erasure, connection)
) without rowid;
create index certificates_due on certificates (connection, due_at) where due_at > 0;

-- +goose Down
drop table certificates;
drop table erased;
drop table erasures;
