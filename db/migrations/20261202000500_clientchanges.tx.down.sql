DROP TRIGGER client_results_moved_noted ON client_results;
DROP TRIGGER client_results_come_noted ON client_results;
DROP TRIGGER clients_gone_noted ON clients;
DROP TRIGGER clients_moved_noted ON clients;
DROP TRIGGER clients_come_noted ON clients;
DROP FUNCTION note_client_changes();
DROP TABLE client_changes_since;
DROP TABLE client_changes;
