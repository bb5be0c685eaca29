-- +goose Up
-- Events of people who were merged with a long past; see store/homes.go.
create table homes (
  home   bigint primary key,
  person bigint not null
);
create index homes_person on homes (person);

drop view explore_events;
create view explore_events as
  select encode(e.id, 'hex') as event_id,
         coalesce(h.person, e.person) as person_id,
         e.name as event,
         e.connection as connection,
         to_timestamp(e.at / 1000000.0) as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e
  left join homes h on h.home = e.person;

-- +goose Down
-- An earlier version looks for events under their person alone.
update events e set person = h.person from homes h where h.home = e.person;
drop view explore_events;
create view explore_events as
  select encode(e.id, 'hex') as event_id,
         e.person as person_id,
         e.name as event,
         e.connection as connection,
         to_timestamp(e.at / 1000000.0) as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e;
drop table homes;
