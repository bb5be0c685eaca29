-- +goose Up
-- Events of people who were merged with a long past; see store/homes.go.
create table homes (
  home   bigint primary key,
  person bigint not null
);
create index homes_person on homes (person);

drop view explore_events;
create view explore_events as
  select lower(hex(e.id)) as event_id,
         coalesce(h.person, e.person) as person_id,
         e.name as event,
         e.connection as connection,
         strftime('%Y-%m-%d %H:%M:%f', e.at / 1000000.0, 'unixepoch') as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e
  left join homes h on h.home = e.person;

-- +goose Down
-- An earlier version looks for events under their person alone.
insert into events (person, at, id, name, connection, inbox, business, data)
  select h.person, e.at, e.id, e.name, e.connection, e.inbox, e.business, e.data from events e join homes h on h.home = e.person;
delete from events where person in (select home from homes);
drop view explore_events;
create view explore_events as
  select lower(hex(e.id)) as event_id,
         e.person as person_id,
         e.name as event,
         e.connection as connection,
         strftime('%Y-%m-%d %H:%M:%f', e.at / 1000000.0, 'unixepoch') as happened_at,
         nullif(e.inbox, 0) as raw_event_id
  from events e;
drop table homes;
