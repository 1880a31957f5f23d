ALTER TABLE runs DROP ab_test_id, DROP variant, DROP undecided;
DROP TABLE ab_tests;
ALTER TABLE mailings DROP ab_variants, DROP ab_share, DROP ab_goal, DROP ab_hours;
