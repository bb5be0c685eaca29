// Sends one call of each kind with the unmodified library, then waits until
// all have been delivered. Arguments: host, write key.
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 4, flushInterval: 200, maxRetries: 3 });
const failures = [];
analytics.on("error", (e) => failures.push(String(e.reason?.message || e.reason || e.code)));

const when = new Date("2026-01-10T09:15:00.120Z");
analytics.identify({ userId: "u-1001", anonymousId: "9f0c", traits: { email: "ada@example.com", firstName: "Ada" } });
analytics.track({ userId: "u-1001", event: "Order Completed", timestamp: when, properties: { order_id: "o-77", total: 49.9, currency: "EUR" } });
analytics.page({ anonymousId: "9f0c", name: "Pricing", properties: { url: "https://example.com/pricing" } });
analytics.screen({ userId: "u-1001", name: "Home" });
analytics.group({ userId: "u-1001", groupId: "acme", traits: { name: "Acme" } });
analytics.alias({ userId: "u-1001", previousId: "9f0c" });

analytics.closeAndFlush({ timeout: 20000 }).then(() => {
  console.log(JSON.stringify({ failures }));
});
