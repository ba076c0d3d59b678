// With an argument, the name of the level that must be the best one here.
#include <stdio.h>
#include <string.h>

#include "support.h"

ck_table ours, scalar;

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
  {"gemm_f32", test_gemm_f32},     {"conv3x3_f32", test_conv3x3},
  {"gemm_u8s8", test_gemm_u8s8},   {"conv3x3_u8s8", test_conv3x3_u8s8},
  {"gemm_wq, gemm_u8wq", test_gemm_wq},
  {"depthwise", test_depthwise},   {"codes", test_codes},             {"pooling", test_pooling},
  {"elementwise", test_elementwise}, {"normalisation", test_normalize},
  {"attention, rows_f32", test_attention}, {"transposes, conversions", test_movement},
  {"training", test_training},     {"peak", test_peak},
};

/// A table is a row of pointers after two integers. Those of conv3x3_u8s8 are there together or not at all.
static void test_complete(void) {
  begin("table", "all entries");
  void *entries[(sizeof ours - offsetof(ck_table, packed_bytes_f32)) / sizeof(void *)];
  memcpy(entries, (const char *)&ours + offsetof(ck_table, packed_bytes_f32), sizeof entries);
  int complete = ours.column_block > 0;
  size_t optional = (offsetof(ck_table, packed_bytes_3x3_u8s8) - offsetof(ck_table, packed_bytes_f32)) / sizeof(void *);
  for (size_t i = 0; i < COUNT(entries); i++) {
    int needed = i < optional || i >= optional + 4 || ours.conv3x3_u8s8;
    complete &= !needed == !entries[i];
  }
  expect("complete", complete);
}

static void test_level(ck_level level) {
  size_t before = comparisons;
  ck_table_for(level, &ours);
  test_complete();
  for (size_t i = 0; i < COUNT(tests); i++) {
    size_t start = comparisons;
    tests[i].run();
    printf("  %-24s %7zu comparisons\n", tests[i].name, comparisons - start);
  }
  printf("%s: %zu comparisons with scalar\n", ck_level_name(level), comparisons - before);
}

int main(int count, char **arguments) {
  if (ck_forced_level_error()) printf("%s\n", ck_forced_level_error());
  ck_level best = ck_best()->level;
  printf("level in use: %s\n", ck_level_name(best));
  if (count > 1 && strcmp(arguments[1], ck_level_name(best))) {
    printf("expected %s\n", arguments[1]);
    return 1;
  }
  catch_faults();
  setvbuf(stdout, NULL, _IOLBF, 0);
  ck_table_for(CK_SCALAR, &scalar);
  // Where there is nothing else, scalar against itself: that it keeps to its memory and does not depend on the split.
  for (int level = best == CK_SCALAR ? CK_SCALAR : CK_SCALAR + 1; level < CK_LEVELS; level++)
    if (ck_supported((ck_level)level)) test_level((ck_level)level);
  printf("%zu checks (%zu values), %zu failures\n", comparisons, values, failures);
  return failures != 0;
}
