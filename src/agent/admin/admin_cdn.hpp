// GET /.meridian/cdn at the admin port: the CDN report of this data center's edge
// (site/view/cdn_report.hpp), fetched from its ops port. 503: the edge does not answer.
#pragma once

#include "agent/context.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

// `context` outlives it.
io::Task<void> ServeCdnReport(const Context& context, http::Exchange& exchange);

}  // namespace meridian::agent
