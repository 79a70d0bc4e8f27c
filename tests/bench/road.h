/* Posts that were made before, each when as many points have come: what is left of a sink that
 * looks at nothing. */
#ifndef ROAD_H
#define ROAD_H

#define ROAD_POINTS 5000 /* in a post, a line each */

struct road;

/* The file holds the posts, one after the other. Ends the process where something is wrong. */
struct road *road_open(const char *url, const char *path);

void road_take(struct road *road, long points); /* so many more have come; any one thread */
void road_close(struct road *road);             /* when all that are due are answered */

#endif
