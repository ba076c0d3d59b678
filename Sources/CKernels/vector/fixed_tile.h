// What a level needs for the digits of ./fixed_wq.h.

#define LARGEST 8355000.0f  // a little below 127·(65536 + 256 + 1), the most that three digits of a byte hold

/// Of the digits of one group.
typedef struct {
  float unit;             // the real of one
  float sum;              // Σ of the whole numbers
  int32_t start[DIGITS];  // − Σ of each digit, times what codes are stored more by
} digit_group;

enum { AHEAD = 4096 };  // bytes by which weights are asked for before they are read

typedef struct {
  const ck_gemm_wq *g;
  const wq_layout *l;
  size_t row, column, end;
  const int8_t *digits;         // [rows][digit][span], groups filled up with zeros
  const digit_group *groups;    // [rows][taps · groups]
} fixed_tile;
