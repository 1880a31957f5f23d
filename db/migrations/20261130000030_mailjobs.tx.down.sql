UPDATE river_job SET args = args - 'email' || jsonb_build_object('letter', args -> 'email') WHERE kind = 'mail' AND args ? 'email';
