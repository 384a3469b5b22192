/* bar.h: a progress bar on standard error, which is a terminal. */
#ifndef CLI_BAR_H
#define CLI_BAR_H

/* share: 0 to 1; text: what stands behind it. The cursor stays in front, so that a line of the log
 * overwrites it. */
void bar_draw(double share, const char *text);

/* Nothing is left of it. */
void bar_clear(void);

#endif
