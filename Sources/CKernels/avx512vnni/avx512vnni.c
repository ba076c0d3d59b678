#include "../internal.h"

void ck_use_avx512vnni(ck_table *table) { (void)table; }
