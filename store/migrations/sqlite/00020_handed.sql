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

-- +goose Down
drop table handed;
