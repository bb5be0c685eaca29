-- +goose Up
-- Views for people who explore with SQL or a BI tool; reports/explore tells
-- what each column means. They read what is there and cost nothing until asked.
create view explore_people as
  select p.id as person_id,
         case when instr(char(10) || p.keys, char(10) || 'email:') > 0 then
           substr(substr(p.keys, instr(char(10) || p.keys, char(10) || 'email:') + 6), 1,
                  instr(substr(p.keys, instr(char(10) || p.keys, char(10) || 'email:') + 6) || char(10), char(10)) - 1) end as email,
         case when instr(char(10) || p.keys, char(10) || 'user:') > 0 then
           substr(substr(p.keys, instr(char(10) || p.keys, char(10) || 'user:') + 5), 1,
                  instr(substr(p.keys, instr(char(10) || p.keys, char(10) || 'user:') + 5) || char(10), char(10)) - 1) end as user_id,
         nullif(p.stage, '') as stage,
         case when p.since <> 0 then strftime('%Y-%m-%d %H:%M:%f', p.since / 1000000.0, 'unixepoch') end as stage_since,
         case when p.last_seen <> 0 then strftime('%Y-%m-%d %H:%M:%f', p.last_seen / 1000000.0, 'unixepoch') end as last_seen_at
  from profiles p
  where p.merged = 0;

create view explore_identifiers as
  select k.person as person_id,
         substr(k.key, 1, instr(k.key, ':') - 1) as namespace,
         substr(k.key, instr(k.key, ':') + 1) as identifier
  from keys k;

create view explore_events as
  select lower(hex(e.id)) as event_id,
         e.person as person_id,
         e.name as event,
         e.connection as connection,
         strftime('%Y-%m-%d %H:%M:%f', e.at / 1000000.0, 'unixepoch') as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e;

create view explore_moves as
  select t.person as person_id,
         t.seq as move,
         nullif(t.from_stage, '') as from_stage,
         nullif(t.to_stage, '') as to_stage,
         t.kind as kind,
         strftime('%Y-%m-%d %H:%M:%f', t.at / 1000000.0, 'unixepoch') as happened_at,
         strftime('%Y-%m-%d %H:%M:%f', t.decided / 1000000.0, 'unixepoch') as decided_at
  from transitions t
  where t.history = 1 and t.from_stage <> t.to_stage;

create view explore_visits as
  select v.person_id, v.move, v.stage, v.entered_at, v.left_at,
         julianday(coalesce(v.left_at, 'now')) - julianday(v.entered_at) as days,
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
         strftime('%Y-%m-%d %H:%M:%f', s.since / 1000000.0, 'unixepoch') as member_since
  from memberships s;

create view explore_deliveries as
  select d.connection as connection,
         d.person as person_id,
         d.state as state,
         nullif(d.reason, '') as reason,
         nullif(d.message, '') as message,
         d.attempts as attempts,
         nullif(d.vendor_id, '') as vendor_id,
         case when d.pushed_at <> 0 then strftime('%Y-%m-%d %H:%M:%f', d.pushed_at / 1000000.0, 'unixepoch') end as pushed_at
  from sync d;

create view explore_raw_events as
  select i.id as raw_event_id,
         i.connection as connection,
         i.type as type,
         strftime('%Y-%m-%d %H:%M:%f', i.received_at / 1000000.0, 'unixepoch') as received_at,
         case when i.event_at <> 0 then strftime('%Y-%m-%d %H:%M:%f', i.event_at / 1000000.0, 'unixepoch') end as happened_at,
         case when o.id is null then 'pending' when o.status = 1 then 'done' when o.status = 2 then 'ignored'
              when o.status = 3 then 'quarantined' else 'failed' end as status,
         nullif(o.reason, '') as reason,
         nullif(o.rule, '') as rule
  from inbox i left join outcomes o on o.id = i.id;

-- +goose Down
drop view explore_raw_events; drop view explore_deliveries; drop view explore_segments; drop view explore_visits;
drop view explore_moves; drop view explore_events; drop view explore_identifiers; drop view explore_people;
