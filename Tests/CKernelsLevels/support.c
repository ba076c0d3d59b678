#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // MAP_ANONYMOUS
#endif
#include "support.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 40, PAGE = 65536, SLOT = 8 << 20, MOST_FAILURES = 20 };

size_t comparisons, values, failures;

static const char *function_name = "";
static char case_text[200];
static uint64_t state;
static size_t taken;

void begin(const char *function, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(case_text, sizeof case_text, format, arguments);
  va_end(arguments);
  function_name = function;
  taken = 0;
  state = 14695981039346656037u;
  for (const char *c = case_text; *c; c++) state = (state ^ (unsigned char)*c) * 1099511628211u;
}

// SplitMix64.
uint64_t random_bits(void) {
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

size_t below(size_t n) { return random_bits() % n; }
float between(float low, float high) { return low + (high - low) * (float)(random_bits() >> 40) * 0x1p-24f; }

void *take(size_t size, int fill) {
  // Slots are mapped once: each case uses the first ones again.
  static char *slots[SLOTS];
  if (taken == SLOTS || size > SLOT) {
    fprintf(stderr, "%s %s: too much memory for a case\n", function_name, case_text);
    exit(2);
  }
  char **slot = &slots[taken++];
  if (!*slot) {
    *slot = mmap(NULL, SLOT + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*slot == MAP_FAILED || mprotect(*slot + SLOT, PAGE, PROT_NONE)) {
      fprintf(stderr, "no memory for a test\n");
      exit(2);
    }
  }
  return memset(*slot + SLOT - size, fill, size);
}

/// A read or write outside the buffers: says in which case, and ends.
static void outside(int signal) {
  (void)signal;
  char text[400];
  int length = snprintf(text, sizeof text, "%s %s %s: touches memory outside its buffers\n", ck_level_name(ours.level),
                        function_name, case_text);
  if (length > 0 && write(STDOUT_FILENO, text, (size_t)length) < length) _exit(3);
  _exit(1);
}

void catch_faults(void) {
  signal(SIGSEGV, outside);
  signal(SIGBUS, outside);
}

float *floats(size_t n, float low, float high) {
  float *p = take(n * 4, 0);
  for (size_t i = 0; i < n; i++) p[i] = between(low, high);
  return p;
}

int32_t *integers(size_t n, int32_t low, int32_t high) {
  int32_t *p = take(n * 4, 0);
  for (size_t i = 0; i < n; i++) p[i] = low + (int32_t)below((size_t)(high - low) + 1);
  return p;
}

uint8_t *bytes(size_t n, int low, int high) {
  uint8_t *p = take(n, 0);
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(low + (int)below((size_t)(high - low) + 1));
  return p;
}

int8_t *signed_bytes(size_t n, int low, int high) { return (int8_t *)bytes(n, low, high); }

/// Reports the first difference of a comparison; gives up when there were many.
static void fail(const char *what, const char *difference) {
  printf("%s %s %s%s%s: %s\n", ck_level_name(ours.level), function_name, case_text, *what ? " " : "", what, difference);
  if (++failures < MOST_FAILURES) return;
  printf("%zu failures: giving up\n", failures);
  exit(1);
}

void same(const char *what, const void *found, const void *expected, size_t n, size_t size) {
  comparisons++;
  values += n;
  if (!memcmp(found, expected, n * size)) return;
  for (size_t i = 0; i < n; i++) {
    uint32_t a = 0, b = 0;
    memcpy(&a, (const char *)found + i * size, size);
    memcpy(&b, (const char *)expected + i * size, size);
    if (a == b) continue;
    char text[80];
    snprintf(text, sizeof text, "[%zu] is %u (0x%x), scalar %u (0x%x)", i, a, a, b, b);
    fail(what, text);
    return;
  }
}

static void fail_floats(const char *what, size_t i, float found, float expected, double allowed) {
  char text[120];
  snprintf(text, sizeof text, "[%zu] is %.9g, scalar %.9g (may differ by %.3g)", i, (double)found, (double)expected,
           allowed);
  fail(what, text);
}

void same_floats(const char *what, const float *found, const float *expected, size_t n) {
  comparisons++;
  values += n;
  for (size_t i = 0; i < n; i++)
    if (memcmp(found + i, expected + i, 4) && !(isnan(found[i]) && isnan(expected[i]))) {
      fail_floats(what, i, found[i], expected[i], 0);
      return;
    }
}

void close_floats(const char *what, const float *found, const float *expected, size_t n, const float *magnitude,
                  float relative, float absolute) {
  comparisons++;
  values += n;
  for (size_t i = 0; i < n; i++) {
    if (!memcmp(found + i, expected + i, 4) || (isnan(found[i]) && isnan(expected[i]))) continue;
    double size = magnitude ? (double)magnitude[i] : fabs((double)expected[i]) + (double)absolute;
    double allowed = (double)relative * size;
    if (fabs((double)found[i] - (double)expected[i]) <= allowed) continue;
    fail_floats(what, i, found[i], expected[i], allowed);
    return;
  }
}

void expect(const char *what, int holds) {
  comparisons++;
  values++;
  if (!holds) fail(what, "does not hold");
}
