-- +goose Up
-- Which people changed: a row per transaction, taken away once the summaries
-- that reports read have followed. Ids are never used again, so that whoever
-- deletes what it has read deletes nothing else.
create table changes (
  id     integer primary key autoincrement,
  at     bigint not null,
  amount bigint not null,
  people blob not null
);
-- Summaries of people in blocks of neighbouring ids; see reports/summary.
create table summaries (
  block    integer primary key,
  revision bigint not null,
  as_of    bigint not null,
  body     blob not null
);

-- +goose Down
drop table summaries;
drop table changes;
