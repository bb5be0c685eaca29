-- +goose Up
-- Views for people who explore with SQL or a BI tool; reports/explore tells
-- what each column means. They read what is there and cost nothing until asked.
create view explore_people as
  select p.id as person_id,
         substring(p.keys from '(?:^|\n)email:([^\n]+)') as email,
         substring(p.keys from '(?:^|\n)user:([^\n]+)') as user_id,
         nullif(p.stage, '') as stage,
         case when p.since <> 0 then to_timestamp(p.since / 1000000.0) end as stage_since,
         case when p.last_seen <> 0 then to_timestamp(p.last_seen / 1000000.0) end as last_seen_at
  from profiles p
  where p.merged = 0;

create view explore_identifiers as
  select k.person as person_id,
         split_part(k.key, ':', 1) as namespace,
         substr(k.key, strpos(k.key, ':') + 1) as identifier
  from keys k;

create view explore_events as
  select encode(e.id, 'hex') as event_id,
         e.person as person_id,
         e.name as event,
         e.connection as connection,
         to_timestamp(e.at / 1000000.0) as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e;

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

create view explore_segments as
  select s.segment as segment,
         s.person as person_id,
         to_timestamp(s.since / 1000000.0) as member_since
  from memberships s;

create view explore_deliveries as
  select d.connection as connection,
         d.person as person_id,
         d.state as state,
         nullif(d.reason, '') as reason,
         nullif(d.message, '') as message,
         d.attempts as attempts,
         nullif(d.vendor_id, '') as vendor_id,
         case when d.pushed_at <> 0 then to_timestamp(d.pushed_at / 1000000.0) end as pushed_at
  from sync d;

create view explore_raw_events as
  select i.id as raw_event_id,
         i.connection as connection,
         i.type as type,
         to_timestamp(i.received_at / 1000000.0) as received_at,
         case when i.event_at <> 0 then to_timestamp(i.event_at / 1000000.0) end as happened_at,
         case when o.id is null then 'pending' when o.status = 1 then 'done' when o.status = 2 then 'ignored'
              when o.status = 3 then 'quarantined' else 'failed' end as status,
         nullif(o.reason, '') as reason,
         nullif(o.rule, '') as rule
  from inbox i left join outcomes o on o.id = i.id;

-- +goose Down
drop view explore_raw_events; drop view explore_deliveries; drop view explore_segments; drop view explore_visits;
drop view explore_moves; drop view explore_events; drop view explore_identifiers; drop view explore_people;
