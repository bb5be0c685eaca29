-- +goose Up
create table audit (
  at      bigint not null,
  id      text not null,
  author  text not null,
  address text not null,
  request text not null,
  action  text not null,
  subject text not null,
  before  text not null,
  after   text not null,
  primary key (at, id)
) without rowid;
create index audit_subject on audit (subject, at, id);

-- +goose Down
drop table audit;
