-- +goose Up
-- Events that a process which may not write them hands to the one that does,
-- a row for each request, and the answers. See store/handover.go.
create table handed (
  id          integer primary key,
  connection  text not null,
  payload     blob not null,
  answered_at bigint not null default 0,
  first       bigint not null default 0,
  fresh       bigint not null default 0,
  duplicates  bigint not null default 0,
  error       text not null default ''
);

-- When somebody is due who stands behind those whose desired state changed by
-- itself: positive while due so, -1 while taken so. Such a row has no due_at.
alter table sync add column behind bigint not null default 0;
create index sync_behind on sync (connection, behind, person) where behind > 0;

-- +goose Down
drop index sync_behind;
alter table sync drop column behind;
drop table handed;
