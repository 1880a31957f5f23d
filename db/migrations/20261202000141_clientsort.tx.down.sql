DROP INDEX clients_by_name;
