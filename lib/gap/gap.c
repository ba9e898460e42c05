#include "lib/first.h"

#include "lib/gap/gap.h"
#include "lib/gap/imported.h"
#include "lib/gap/progress.h"

const struct flow_gap gap_for_flow = {
    .key = gap_imported_key,
    .key_exists = gap_imported_exists,
    .attributes = gap_imported_attributes,
    .certificate = gap_certificate_get,
    .progress = gap_progress,
    .input = gap_input,
};
