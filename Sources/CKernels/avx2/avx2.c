#include "../internal.h"

void ck_use_avx2(ck_table *table) { (void)table; }
