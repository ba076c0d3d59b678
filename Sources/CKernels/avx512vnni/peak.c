#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#define PEAK_DOT(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
#define PEAK_DOT_MACS 64
#define PEAK_SUMS 12
#define PEAK_REGISTER "v"
#include "../vector/peak.h"
CK_AVX512_END

void ck_avx512_peak(ck_table *table) { fill_peak(table); }
#endif
