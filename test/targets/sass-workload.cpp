// LibSass at work: style sheets with all that the language has, and broken ones, which it tells by exceptions.
#include <sass.h>
#include "target.h"
CALL int compile(const char *label, const char *text) {
  struct Sass_Data_Context *context = sass_make_data_context(strdup(text));
  struct Sass_Context *common = sass_data_context_get_context(context);
  sass_option_set_precision(sass_context_get_options(common), 5);
  int status = sass_compile_data_context(context);
  if (status == 0) printf("%s:\n%s", label, sass_context_get_output_string(common));
  else printf("%s fails with %d: %s\n", label, status, sass_context_get_error_text(common));
  sass_delete_data_context(context);
  return status;
}
static const char *const sheets[][2] = {
    {"a good one", "@mixin m($w) { width: $w } @function f($n) { @if $n < 2 { @return $n; } @return f($n - 1) + 1px; } "
                   ".a { @include m(f(3)); &:hover { top: 2px } } .b { @extend .a; }"},
    {"a brace that is missing", ".u { .v { left: 2px; "},
    {"a wrong type", ".u { top: lighten(3px, 2%); }"},
};
int main() {
  int failures = 0;
  for (const auto &[label, text] : sheets) failures += compile(label, text) != 0;
  printf("%d\n", failures);
}
