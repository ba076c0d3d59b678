// Header-only bridge between ncursesw (6.x, wide) and Swift.
// Swift cannot see: function-like macros that expand to non-literals (getyx,
// ACS_*, A_*, BUTTON*_*, KEY_F), C variadics (printw, tparm), and in the Swift 6
// language mode any mutable C global (stdscr, LINES, COLS, COLORS, stdout).
#ifndef CNCURSES_SHIM_H
#define CNCURSES_SHIM_H

#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED 1
#endif
#undef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1      /* real functions instead of macros: all importable */

#include <locale.h>
#include <wchar.h>
#include <stdio.h>
#include <curses.h>
#include <term.h>
#undef lines                    /* term.h defines tab, lines, columns, ... as macros */
#undef columns

_Static_assert(sizeof(cchar_t) > sizeof(chtype), "wide curses.h not selected");

/* ---- globals, read through functions -------------------------------------- */
static inline WINDOW *ncx_stdscr(void)      { return stdscr; }
static inline int     ncx_lines(void)       { return LINES; }
static inline int     ncx_cols(void)        { return COLS; }
static inline int     ncx_colors(void)      { return COLORS; }
static inline int     ncx_color_pairs(void) { return COLOR_PAIRS; }
static inline FILE   *ncx_stdout(void)      { return stdout; }
static inline FILE   *ncx_stdin(void)       { return stdin; }

/* ---- macros --------------------------------------------------------------- */
static inline void ncx_getyx(WINDOW *w, int *y, int *x) { getyx(w, *y, *x); }
static inline int  ncx_key_f(int n)                     { return KEY_F(n); }
static inline const cchar_t *ncx_wacs(char c)           { return &_nc_wacs[(unsigned char)c]; }
static inline chtype ncx_acs(char c)                    { return acs_map[(unsigned char)c]; }

static const attr_t NCX_A_BOLD      = A_BOLD;
static const attr_t NCX_A_DIM       = A_DIM;
static const attr_t NCX_A_REVERSE   = A_REVERSE;
static const attr_t NCX_A_UNDERLINE = A_UNDERLINE;
static const attr_t NCX_A_ITALIC    = A_ITALIC;
static const attr_t NCX_A_BLINK     = A_BLINK;
static const attr_t NCX_A_STANDOUT  = A_STANDOUT;
static const attr_t NCX_A_ALTCHARSET = A_ALTCHARSET;

static const mmask_t NCX_ALL_MOUSE   = ALL_MOUSE_EVENTS | REPORT_MOUSE_POSITION;
static const mmask_t NCX_B1_PRESSED  = BUTTON1_PRESSED;
static const mmask_t NCX_B1_RELEASED = BUTTON1_RELEASED;
static const mmask_t NCX_B1_CLICKED  = BUTTON1_CLICKED;
static const mmask_t NCX_B1_DOUBLE   = BUTTON1_DOUBLE_CLICKED;
static const mmask_t NCX_B2_PRESSED  = BUTTON2_PRESSED;
static const mmask_t NCX_B3_PRESSED  = BUTTON3_PRESSED;
static const mmask_t NCX_WHEEL_UP    = BUTTON4_PRESSED;
static const mmask_t NCX_WHEEL_DOWN  = BUTTON5_PRESSED;
static const mmask_t NCX_MOTION      = REPORT_MOUSE_POSITION;
static const mmask_t NCX_M_SHIFT     = BUTTON_SHIFT;
static const mmask_t NCX_M_CTRL      = BUTTON_CTRL;
static const mmask_t NCX_M_ALT       = BUTTON_ALT;

/* ---- extended colour pairs: pass the int through `opts` -------------------- */
static inline void ncx_cell(cchar_t *out, const wchar_t *chars, attr_t a, int pair) {
    setcchar(out, chars, a, (short)(pair > 255 ? 255 : pair), &pair);
}
static inline int ncx_attr_set(WINDOW *w, attr_t a, int pair) {
    return wattr_set(w, a, (short)(pair > 255 ? 255 : pair), &pair);
}
/* Columns of a character by the C library's tables, -1 where it has none. */
extern int wcwidth(wchar_t);
static inline int ncx_wcwidth(wchar_t c) { return wcwidth(c); }

/* Hidden by glibc unless _XOPEN_SOURCE/_GNU_SOURCE is set; Swift builds the Glibc module without them. */
extern int posix_openpt(int); extern int grantpt(int); extern int unlockpt(int); extern char *ptsname(int);

static inline int ncx_ncurses_patch(void) { return NCURSES_VERSION_PATCH; }

#endif
