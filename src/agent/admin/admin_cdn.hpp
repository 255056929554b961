// GET /.meridian/cdn at the admin port: what the edge of this data center tells of its work
// (site/view/cdn_report.hpp), passed on from its ops port. 503: no edge answers here.
#pragma once

#include "agent/context.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

// `context` outlives it.
io::Task<void> ServeCdnReport(const Context& context, http::Exchange& exchange);

}  // namespace meridian::agent
