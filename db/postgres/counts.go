package postgres

import (
	"context"
	"strings"
)

// MergeCounts makes one row of the many that changes have left for the same keys in a table of counts, and drops the keys whose
// counts come to nothing. The columns are the keys and the count alone, and none of them is null.
func (db *DB) MergeCounts(ctx context.Context, table, count string, keys ...string) error {
	same := make([]string, len(keys))
	for i, key := range keys {
		same[i] = "one." + key + " = many." + key
	}
	by := strings.Join(keys, ", ")
	_, err := db.Pool.Exec(ctx, `WITH many AS (
			SELECT `+by+` FROM `+table+` GROUP BY `+by+` HAVING count(*) > 1
		), gone AS (
			DELETE FROM `+table+` AS one USING many WHERE `+strings.Join(same, " AND ")+` RETURNING one.*
		) INSERT INTO `+table+` (`+by+`, `+count+`) SELECT `+by+`, sum(`+count+`) FROM gone GROUP BY `+by+` HAVING sum(`+count+`) <> 0`)
	return TranslateError(err)
}
