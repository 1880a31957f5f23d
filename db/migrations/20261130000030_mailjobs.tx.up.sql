-- Which email a job sends stands under "email", in jobs that wait as well.
UPDATE river_job SET args = args - 'letter' || jsonb_build_object('email', args -> 'letter') WHERE kind = 'mail' AND args ? 'letter';
