-- +goose Up
-- Where people stand in the lifecycles beside the main one, and their moves there.
alter table transitions add column lifecycle text not null default '';
create table standings (
  person    bigint not null,
  lifecycle text not null,
  stage     text not null,
  since     bigint not null,
  primary key (person, lifecycle)
);
create index standings_stage on standings (lifecycle, stage, person);
-- The views go on to tell of the main lifecycle.
drop view explore_visits; drop view explore_moves;
create view explore_moves as
  select t.person as person_id,
         t.seq as move,
         nullif(t.from_stage, '') as from_stage,
         nullif(t.to_stage, '') as to_stage,
         t.kind as kind,
         to_timestamp(t.at / 1000000.0) as happened_at,
         to_timestamp(t.decided / 1000000.0) as decided_at
  from transitions t
  where t.history = 1 and t.lifecycle = '' and t.from_stage <> t.to_stage;

create view explore_visits as
  select v.person_id, v.move, v.stage, v.entered_at, v.left_at,
         extract(epoch from (coalesce(v.left_at, now()) - v.entered_at)) / 86400.0 as days,
         v.left_at is null as is_current
  from (
    select m.person_id, m.move, m.to_stage as stage, m.happened_at as entered_at,
           lead(m.happened_at) over (partition by m.person_id order by m.move) as left_at
    from explore_moves m
  ) v
  where v.stage is not null;

-- +goose Down
drop view explore_visits; drop view explore_moves;
delete from transitions where lifecycle <> '';
alter table transitions drop column lifecycle;
create view explore_moves as
  select t.person as person_id,
         t.seq as move,
         nullif(t.from_stage, '') as from_stage,
         nullif(t.to_stage, '') as to_stage,
         t.kind as kind,
         to_timestamp(t.at / 1000000.0) as happened_at,
         to_timestamp(t.decided / 1000000.0) as decided_at
  from transitions t
  where t.history = 1 and t.from_stage <> t.to_stage;

create view explore_visits as
  select v.person_id, v.move, v.stage, v.entered_at, v.left_at,
         extract(epoch from (coalesce(v.left_at, now()) - v.entered_at)) / 86400.0 as days,
         v.left_at is null as is_current
  from (
    select m.person_id, m.move, m.to_stage as stage, m.happened_at as entered_at,
           lead(m.happened_at) over (partition by m.person_id order by m.move) as left_at
    from explore_moves m
  ) v
  where v.stage is not null;

drop table standings;
