#include "agent/certificates.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/file/file.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/state_dir.hpp"
#include "site/trust/ca.hpp"
#include "site/trust/certificate.hpp"

namespace meridian::agent {

std::string Certificates::Renew(WallTime now) const {
  auto state = site::StateDir::Open(context_.state_directory);
  if (!state) return state.error().message;
  auto ca = site::EnsureCa(*state, context_.site, {context_.here.name}, now);
  if (!ca) return ca.error().message;
  std::string said;
  for (const std::filesystem::path& file : ca->expiring) {
    said += (said.empty() ? "" : ", ") + file.string();
  }
  return said.empty() ? said
                      : "less than a third of the time is left, and authority.key is not here to "
                        "renew them; call meridian ca where it is, and copy from there: " +
                            said;
}

std::map<std::string, double> Certificates::Expiries() const {
  const std::filesystem::path folder = context_.state_directory / "ca";
  std::map<std::string, double> expiries;
  for (const auto& [name, file] :
       {std::pair("authority", folder / "authority.pem"),
        std::pair("datacenter", folder / ("dc-" + context_.here.name + ".pem")),
        std::pair("web", folder / "web.pem")}) {
    auto pem = io::ReadFile(file, kMaxCertificateFile);
    auto facts = pem ? site::ReadCertificate(*pem) : Fail(pem.error());
    expiries[name] = facts ? Seconds(facts->not_after.time_since_epoch()) : 0;
  }
  return expiries;
}

io::Task<void> Certificates::Run(Metrics& metrics) {
  io::BlockingPool files(1);
  std::map<std::string, Gauge*> shown;
  auto show = [&](const std::map<std::string, double>& expiries) {
    for (const auto& [name, seconds] : expiries) {
      Gauge*& gauge = shown[name];
      if (gauge == nullptr) {
        gauge = &metrics.AddGauge("meridian_agent_certificate_expiry_timestamp_seconds",
                                  "When a certificate expires, in Unix time; 0: it cannot be read.",
                                  {{"certificate", name}});
      }
      gauge->Set(seconds);
    }
  };
  show(co_await io::RunBlocking(files, [this] { return Expiries(); }));
  std::string before;
  while (co_await io::Sleep(kCertificateInterval)) {
    std::string said =
        co_await io::RunBlocking(files, [this, now = context_.loop.Wall()] { return Renew(now); });
    if (said != before && !said.empty()) LOG_WARNING("certificates", {"problem", said});
    before = said;
    show(co_await io::RunBlocking(files, [this] { return Expiries(); }));
  }
}

}  // namespace meridian::agent
