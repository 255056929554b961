#include "site/trust/certificate_expiries.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/file/file.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/limits.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::site {
namespace {

// In seconds of Unix time. Blocks for the file.
double ExpiryOf(const std::string& path) {
  Result<std::string> pem = io::ReadFile(path, kMaxPemBytes);
  if (!pem) return 0;
  Result<CertificateFacts> facts = ReadCertificate(*pem);
  return facts ? Seconds(facts->not_after.time_since_epoch()) : 0;
}

}  // namespace

CertificateExpiries::CertificateExpiries(Metrics& metrics, std::string metric,
                                         std::vector<NamedCertificate> certificates)
    : metrics_(metrics), metric_(std::move(metric)), certificates_(std::move(certificates)) {}

io::Task<void> CertificateExpiries::Run() {
  do {
    co_await Show();
  } while (co_await io::Sleep(kCertificateExpiryInterval));
}

io::Task<void> CertificateExpiries::Show() {
  for (const NamedCertificate& each : certificates_) {
    const double seconds =
        co_await io::RunBlocking(files_, [&each] { return ExpiryOf(each.path); });
    Gauge*& gauge = shown_[each.name];
    if (gauge == nullptr) {
      gauge = &metrics_.AddGauge(metric_,
                                 "When a certificate expires, in Unix time; 0: it cannot be read.",
                                 {{"certificate", each.name}});
    }
    gauge->Set(seconds);
  }
}

}  // namespace meridian::site
