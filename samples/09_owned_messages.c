/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A message may own something, and its protocol says how to drop it: whatever becomes of the
 * message, that happens once. Large messages move instead of being copied, and immutable bytes are
 * shared by as many messages as like.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <troupe/troupe.h>

struct press_sheet { char line[64]; tr_bytes *paper; };
struct press_issue { tr_bytes *paper; };

static void sheet_drop(void *msg)
{
    tr_bytes_drop(((struct press_sheet *)msg)->paper);
}

static void issue_drop(void *msg)
{
    tr_bytes_drop(((struct press_issue *)msg)->paper);
}

#define PRESS_MESSAGES(M) M(press_sheet, TR_DROP(sheet_drop)) M(press_issue, TR_DROP(issue_drop))
TR_PROTOCOL(press, 1, PRESS_MESSAGES);

struct editor  { tr_ref printer; };
struct printer { int sheets; };

/* Takes the message itself, works on it, and passes it on: no copy anywhere. */
TR_ON(editor, press_sheet, self, me, msg)
{
    struct press_sheet *sheet = tr_take(self, press_sheet);

    sheet->line[0] = (char)toupper((unsigned char)sheet->line[0]);
    int err = tr_post(self, me->printer, &sheet);
    tr_drop(sheet);  /* NULL when it was posted */
    return err;
}

/* A copy of a pointer needs a reference of its own. */
TR_ON(editor, press_issue, self, me, msg)
{
    struct press_issue copy = { .paper = tr_bytes_share(msg->paper) };
    int err = tr_send_copy(self, me->printer, press_issue, &copy);

    if (err < 0)
        tr_bytes_drop(copy.paper);
    return err;
}

static const tr_actor_type editor_actor = {
    TR_STATE(editor),
    .on = TR_TABLE(TR_HANDLES(editor, press_sheet), TR_HANDLES(editor, press_issue)),
};

TR_ON(printer, press_sheet, self, me, msg)
{
    me->sheets++;
    printf("%s on %.*s\n", msg->line, (int)msg->paper->size, (const char *)msg->paper->data);
    return TR_OK;
}

TR_ON(printer, press_issue, self, me, msg)
{
    printf("%d sheets of %.*s\n", me->sheets, (int)msg->paper->size,
           (const char *)msg->paper->data);
    return TR_OK;
}

static const tr_actor_type printer_actor = {
    TR_STATE(printer),
    .on = TR_TABLE(TR_HANDLES(printer, press_sheet), TR_HANDLES(printer, press_issue)),
};

static void post_sheet(tr_system *sys, tr_ref editor, const char *line, tr_bytes *paper)
{
    struct press_sheet *sheet = tr_new(press_sheet);

    snprintf(sheet->line, sizeof sheet->line, "%s", line);
    sheet->paper = tr_bytes_share(paper);
    if (tr_post(sys, editor, &sheet) < 0)
        tr_drop(sheet);
}

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref editor = tr_spawn(sys, editor, .printer = tr_spawn(sys, printer, .sheets = 0));
    tr_bytes *paper = tr_bytes_new(9);

    memcpy(paper->data, "rag paper", 9);
    post_sheet(sys, editor, "all the news", paper);
    post_sheet(sys, editor, "that is fit", paper);
    if (tr_send(sys, editor, press_issue, .paper = paper) < 0)  /* gives our reference away */
        tr_bytes_drop(paper);
    return tr_system_stop(sys, TR_SEC(5));
}
