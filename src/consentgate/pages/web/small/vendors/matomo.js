(e,t,{analytics_storage:o})=>{e._paq??=[],"default"===t&&e._paq.push(["requireCookieConsent"]);const a="granted"===o?"set":"forget";e._paq.push([`${a}CookieConsentGiven`])}
