#include "site/tier/metrics_answer.hpp"

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {

io::Task<void> AnswerMetrics(http::Exchange& exchange, const Metrics& metrics) {
  std::string accept;
  exchange.request().fields.ForEach(
      "Accept", [&](std::string_view each) { accept.append(",").append(each); });
  const MetricsFormat format = ChooseMetricsFormat(accept);
  const std::string text = MetricsText(metrics, format);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", ContentTypeOf(format));
  fields.Add("Vary", "Accept");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(text));
}

}  // namespace meridian::site
