-- +goose Up
alter table users add column invite blob;
alter table users add column invited_until bigint not null default 0;
alter table users add column seen_at bigint not null default 0;
-- Who it is to the identity provider; empty: the user has a password here.
alter table users add column subject text not null default '';
create table tokens (
  id         text primary key,
  hash       blob not null,
  role       text not null,
  areas      text not null,
  author     text not null,
  created_at bigint not null,
  expires_at bigint not null,
  seen_at    bigint not null default 0
) without rowid;
create unique index tokens_hash on tokens (hash);

-- +goose Down
drop table tokens;
alter table users drop column subject;
alter table users drop column seen_at;
alter table users drop column invited_until;
alter table users drop column invite;
