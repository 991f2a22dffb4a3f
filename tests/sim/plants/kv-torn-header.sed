# A header torn and filled with zeros is damage.
# file: replay.c
/^static bool is_header_torn/,/^}/s/size_t same = 0;/size_t same = 0;\n\n    if (!is_zero(header, KV_LOG_HEADER))\n        return false;/
