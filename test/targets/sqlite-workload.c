// SQLite doing real work in memory: tables, an index, a transaction of 200 inserts, joins, groups, sorts, updates, text functions.
#include <sqlite3.h>
#include "target.h"
static int print_row(void *label, int count, char **values, char **names) {
  (void)names;
  printf("%s:", (char *)label);
  for (int i = 0; i < count; i++) printf(" %s", values[i] ? values[i] : "NULL");
  puts("");
  return 0;
}
CALL int execute(sqlite3 *database, const char *label, const char *sql) {
  char *message = NULL;
  int status = sqlite3_exec(database, sql, print_row, (void *)label, &message);
  if (status != SQLITE_OK) printf("%s failed: %s\n", label, message);
  sqlite3_free(message);
  return status;
}
CALL void fill(sqlite3 *database) {
  sqlite3_stmt *insert;
  sqlite3_prepare_v2(database, "INSERT INTO items VALUES (?, ?, ?, ?)", -1, &insert, NULL);
  for (int i = 0; i < 200; i++) {
    char name[32];
    snprintf(name, sizeof name, "item %d", i * 7919 % 200);
    sqlite3_bind_int(insert, 1, i);
    sqlite3_bind_int(insert, 2, i % 7);
    sqlite3_bind_text(insert, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(insert, 4, i * 1.25);
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
}
static const char *const statements[][2] = {
    {"index", "CREATE INDEX items_by_kind ON items (kind, price)"},
    {"kinds", "INSERT INTO kinds WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 6) "
              "SELECT i, printf('kind-%02d', i) FROM n"},
    {"groups", "SELECT k.label, count(*), round(sum(i.price), 2), max(i.name) FROM items i JOIN kinds k ON k.id = i.kind "
               "WHERE i.price > 20 GROUP BY k.label HAVING count(*) > 2 ORDER BY 3 DESC"},
    {"like", "SELECT id, upper(name) FROM items WHERE name LIKE '%9' AND kind IN (1, 3, 5) ORDER BY name LIMIT 5"},
    {"window", "SELECT id, sum(price) OVER (PARTITION BY kind ORDER BY id) FROM items WHERE id < 12 ORDER BY id"},
    {"trigger", "CREATE TRIGGER log_change AFTER UPDATE ON items BEGIN INSERT INTO kinds VALUES (NULL, old.name); END"},
    {"update", "UPDATE items SET price = price * 2, name = substr(name, 6) || ' x' WHERE kind = 3 AND id < 60"},
    {"delete", "DELETE FROM items WHERE id IN (SELECT id FROM items ORDER BY price DESC LIMIT 50)"},
    {"json", "SELECT json_extract('{\"a\":[1,2,{\"b\":3}]}', '$.a[2].b'), json_group_array(id) FROM kinds WHERE id < 5"},
    {"view", "CREATE VIEW cheap AS SELECT * FROM items WHERE price < 30"},
    {"compound", "SELECT id FROM cheap EXCEPT SELECT id FROM items WHERE kind = 2 UNION SELECT 1000 ORDER BY 1 LIMIT 8"},
    {"date", "SELECT date('2024-02-28', '+2 days'), strftime('%s', '2000-01-01'), hex('abc'), abs(-4), 'a' GLOB '[a-c]'"},
    {"vacuum", "VACUUM"},
    {"check", "PRAGMA integrity_check"},
    {"count", "SELECT count(*), (SELECT count(*) FROM kinds) FROM items"},
};
int main(void) {
  sqlite3 *database;
  int failures = sqlite3_open(":memory:", &database);
  failures += execute(database, "tables", "CREATE TABLE items (id INTEGER PRIMARY KEY, kind INT, name TEXT, price REAL);"
                                          "CREATE TABLE kinds (id INTEGER PRIMARY KEY, label TEXT)");
  failures += execute(database, "begin", "BEGIN");
  fill(database);
  failures += execute(database, "commit", "COMMIT");
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
    failures += execute(database, statements[i][0], statements[i][1]);
  return failures + sqlite3_close(database);
}
