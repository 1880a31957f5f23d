-- A registration and the account that an admin makes of it share their number, so /admin/users/:id means one of them.
ALTER TABLE registrations ALTER id DROP IDENTITY;
ALTER TABLE registrations ALTER id SET DEFAULT nextval(pg_get_serial_sequence('users', 'id'));
