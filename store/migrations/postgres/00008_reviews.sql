-- +goose Up
-- What somebody said about two keys that the guards of identity kept apart.
create table reviews (
  key      text not null,
  with_key text not null,
  verdict  text not null,
  author   text not null,
  reason   text not null,
  at       bigint not null,
  primary key (key, with_key)
);
create index refusals_at on refusals (at, event, key);

-- +goose Down
drop index refusals_at;
drop table reviews;
