-- +goose Up
-- What a person is shown of a session; the hash of its token is never shown.
alter table sessions add column id text not null default '';
alter table sessions add column address text not null default '';
alter table sessions add column agent text not null default '';
-- When the session got its token, and the token before, which goes on for a
-- moment for requests under way.
alter table sessions add column turned_at bigint not null default 0;
alter table sessions add column previous bytea;
alter table sessions add column previous_until bigint not null default 0;
create index sessions_previous on sessions (previous);
create index sessions_name on sessions (name, id);

-- +goose Down
drop index sessions_name;
drop index sessions_previous;
alter table sessions drop column previous_until;
alter table sessions drop column previous;
alter table sessions drop column turned_at;
alter table sessions drop column agent;
alter table sessions drop column address;
alter table sessions drop column id;
