// POST /.meridian/logs at the admin port: a page of this data center's log, from its watch tier,
// which is asked with its password (site/tier/output_frame.hpp: kLogSearchPath, with the same query
// and body). The answer is passed on as it comes. 503: the tier does not answer, or the site has
// none.
#pragma once

#include <cstddef>

#include "agent/context.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

class AdminLogs {
 public:
  // `context` outlives it.
  explicit AdminLogs(const Context& context) : context_(context) {}

  io::Task<void> Serve(http::Exchange& exchange);

 private:
  io::Task<void> Forward(http::Exchange& exchange);

  const Context& context_;
  size_t answering_ = 0;
};

}  // namespace meridian::agent
