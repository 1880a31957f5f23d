-- An owner's addresses differ already (clients_owner_email), and a run takes them in one
-- statement: this index could refuse nothing, and cost planning more than all the rest.
DROP INDEX deliveries_email;
