#include "site/tier/metrics_answer.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {

io::Task<void> AnswerMetrics(http::Exchange& exchange, const Metrics& metrics) {
  const std::vector<MetricFamilyReading> families = metrics.Read();
  co_await AnswerMetrics(exchange, families);
}

io::Task<void> AnswerMetrics(http::Exchange& exchange,
                             const std::vector<MetricFamilyReading>& families) {
  std::string accept;
  exchange.request().fields.ForEach(
      "Accept", [&](std::string_view each) { accept.append(",").append(each); });
  const MetricsFormat format = ChooseMetricsFormat(accept);
  const std::string text = MetricsText(families, format);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", ContentTypeOf(format));
  fields.Add("Vary", "Accept");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(text));
}

}  // namespace meridian::site
