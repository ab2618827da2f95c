// SQLite in memory: a table and an index are made, filled, queried, changed and dropped, N times. The number of calls
// per time is always the same, and is found out by tracing: it is said as 0 here.
#include <sqlite3.h>
#include "bench.h"

static const char *const statements[] = {
    "CREATE TABLE items (id INTEGER PRIMARY KEY, kind INT, name TEXT, price REAL)",
    "CREATE INDEX items_by_kind ON items (kind, price)",
    "INSERT INTO items WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    "SELECT i, i % 7, printf('item %d', i * 37 % 100), i * 1.25 FROM n",
    "SELECT kind, count(*), round(sum(price), 2), max(name) FROM items WHERE price > 20 GROUP BY kind ORDER BY 3 DESC",
    "SELECT a.id, upper(b.name) FROM items a JOIN items b ON b.id = a.kind WHERE a.name LIKE '%9' ORDER BY b.name",
    "UPDATE items SET price = price * 2, name = substr(name, 6) || ' x' WHERE kind = 3",
    "DELETE FROM items WHERE id IN (SELECT id FROM items ORDER BY price DESC LIMIT 25)",
    "DROP TABLE items",
};

static int ignore_row(void *context, int count, char **values, char **names) {
  (void)context, (void)count, (void)values, (void)names;
  return 0;
}

static int work(sqlite3 *database) {
  int failures = 0;
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
    failures += sqlite3_exec(database, statements[i], ignore_row, NULL, NULL) != SQLITE_OK;
  return failures;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 10;
  sqlite3 *database;
  say_start();
  int failures = sqlite3_open(":memory:", &database);
  failures += work(database);
  long begin = now_ns(), cpu = cpu_ns();
  for (long i = 0; i < rounds; i++) failures += work(database);
  say_end(now_ns() - begin, cpu_ns() - cpu, 0);
  return failures + sqlite3_close(database);
}
