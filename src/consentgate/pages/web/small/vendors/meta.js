(e,t,{ad_storage:a})=>{e.fbq?.("consent","granted"===a?"grant":"revoke")}
