-- +goose Up
-- When somebody is due who stands behind those whose desired state changed by
-- itself: positive while due so, -1 while taken so. Such a row has no due_at.
alter table sync add column behind bigint not null default 0;
create index sync_behind on sync (connection, behind, person) where behind > 0;

-- +goose Down
drop index sync_behind;
alter table sync drop column behind;
