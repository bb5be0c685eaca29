-- +goose Up
-- Which people changed: a row per transaction, taken away once the summaries
-- that reports read have followed. Ids are never used again, so that whoever
-- deletes what it has read deletes nothing else.
create table changes (
  id     bigint generated always as identity primary key,
  at     bigint not null,
  amount bigint not null,
  people bytea not null
);
-- Summaries of people in blocks of neighbouring ids; see reports/summary.
create table summaries (
  block    bigint primary key,
  revision bigint not null,
  as_of    bigint not null,
  body     bytea not null
);
-- A body is packed already: to compress it costs every reader time for nothing.
alter table summaries alter column body set storage external;

-- +goose Down
drop table summaries;
drop table changes;
