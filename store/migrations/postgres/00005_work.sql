-- +goose Up
-- Long work: what was asked for, how far it is, and what came of it. See jobs/work.go.
create table work (
  id          bigint primary key,
  kind        text not null,
  subject     text not null,
  state       text not null,
  args        text not null,
  place       text not null default '',
  done        bigint not null default 0,
  total       bigint not null default 0,
  rate        double precision not null default 0,
  attempts    bigint not null default 0,
  cancel      bigint not null default 0,
  owner       text not null default '',
  lease       bigint not null default 0,
  result      text not null default '',
  error       text not null default '',
  author      text not null,
  reason      text not null,
  created_at  bigint not null,
  started_at  bigint not null default 0,
  updated_at  bigint not null,
  finished_at bigint not null default 0
);
create unique index work_live on work (kind, subject) where state in ('queued', 'running');
create index work_over on work (finished_at) where finished_at > 0;

-- +goose Down
drop table work;
