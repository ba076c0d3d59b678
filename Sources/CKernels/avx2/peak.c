#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
// The exact path multiplies codes as pairs of 16-bit integers.
#define PEAK_DOT(sum, a, b) vi_add(sum, _mm256_madd_epi16(a, b))
#define PEAK_DOT_MACS 16
#define PEAK_SUMS 12
#define PEAK_REGISTER "v"
#include "../vector/peak.h"
CK_AVX2_END

void ck_avx2_peak(ck_table *table) { fill_peak(table); }
#endif
