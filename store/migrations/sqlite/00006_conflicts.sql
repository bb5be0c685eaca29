-- +goose Up
-- Claims and pins that did not have their way: what each person's profile
-- remembers of them, to be found by connection.
create table conflicts (
  person     bigint not null,
  at         bigint not null,
  event      blob not null,
  connection text not null,
  stage      text not null,
  reason     text not null,
  won        text not null,
  won_by     text not null,
  primary key (person, at, event)
) without rowid;
create index conflicts_connection on conflicts (connection, at, person, event);

-- The names of the fields that pushes write at a vendor, so that a change of
-- one of them there is told from a change of anything else.
create table written_fields (
  connection text not null,
  field      text not null,
  primary key (connection, field)
) without rowid;

-- How often the vendor's side has overwritten what was pushed, since flips_at.
alter table sync add column flips bigint not null default 0;
alter table sync add column flips_at bigint not null default 0;

-- +goose Down
alter table sync drop column flips_at;
alter table sync drop column flips;
drop table written_fields;
drop table conflicts;
