-- +goose Up
-- Only SQLite uses it, where one process takes events and others hand theirs
-- over. It is here so that both databases have one schema.
create table handed (
  id          bigint primary key,
  connection  text not null,
  payload     bytea not null,
  answered_at bigint not null default 0,
  first       bigint not null default 0,
  fresh       bigint not null default 0,
  duplicates  bigint not null default 0,
  error       text not null default ''
);

-- +goose Down
drop table handed;
